/** Messages to users about an incident: look, publish, keep back. */
import { messageInput, suppressInput } from '../control/messages.ts';
import type { Draft } from '../control/messages.ts';
import type { Message, MessageText } from '../core/message.ts';
import { timeText } from '../core/moment.ts';
import { json } from './admin-error.ts';
import { sent } from './admin-route.ts';
import type { AdminRoute } from './admin-route.ts';
import { listToWire } from './wire.ts';
import type { Json } from './wire.ts';

const textsToWire = (texts: Readonly<Record<string, MessageText>>): Json =>
  Object.fromEntries(
    Object.entries(texts).map(([locale, { title, body, desk }]) => [locale, { title, body, desk }]),
  );

function messageToWire(message: Message): Json {
  return {
    id: message.id,
    incident: message.incident,
    stage: message.stage,
    state: message.state,
    at: timeText(message.at),
    by: message.by,
    automatic: message.automatic,
    reason: message.reason,
    texts: textsToWire(message.texts),
    next_update_at: timeText(message.nextUpdateAt),
  };
}

const draftToWire = (draft: Draft): Json => ({
  stage: draft.stage,
  texts: textsToWire(draft.texts),
  next_update_at: timeText(draft.nextUpdateAt),
  problems: draft.problems,
  may_be_published: draft.problems.length === 0,
});

export const messageRoutes: readonly AdminRoute[] = [
  {
    method: 'GET',
    path: '/admin/v1/incidents/{id}/messages',
    role: 'viewer',
    summary: 'What users were told, or were not to be told, oldest first',
    answer: 'MessageList',
    handle: async ({ parameters }, { messages }) =>
      json(listToWire((await messages.list(parameters['id'] ?? '')).map(messageToWire))),
  },
  {
    method: 'POST',
    path: '/admin/v1/incidents/{id}/messages/preview',
    role: 'viewer',
    summary: 'What would be published, and why it could not be; nothing is',
    body: messageInput,
    answer: 'MessageDraft',
    handle: async ({ parameters, body }, { messages }) =>
      sent(await messages.preview(parameters['id'] ?? '', body), (draft) => json(draftToWire(draft))),
  },
  {
    method: 'POST',
    path: '/admin/v1/incidents/{id}/messages/publish',
    role: 'comms',
    summary: 'Tell users, on the status site, in the banner feed and to channels',
    body: messageInput,
    changes: 'message',
    answer: 'Message',
    status: 201,
    handle: async ({ parameters, body, actor }, { messages }) =>
      sent(await messages.publish(parameters['id'] ?? '', body, actor), (message) =>
        json(messageToWire(message), 201),
      ),
  },
  {
    method: 'POST',
    path: '/admin/v1/incidents/{id}/messages/suppress',
    role: 'comms',
    summary: 'Keep back what would be said at a stage, with a reason',
    body: suppressInput,
    changes: 'message',
    answer: 'Message',
    status: 201,
    handle: async ({ parameters, body, actor }, { messages }) =>
      sent(await messages.suppress(parameters['id'] ?? '', body, actor), (message) =>
        json(messageToWire(message), 201),
      ),
  },
];
