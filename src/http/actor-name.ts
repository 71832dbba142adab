/** Names that people give themselves where they decide something. */

const form = /^[\w.@][\w.@ -]{0,63}$/;
/** Names under which Breakwater decides: what it did is told apart from what people did. */
const ours = /^(?:system|provider|playbook)(?:$| )/i;

export const actorRemedy =
  'Use 1 to 64 letters, digits, spaces or . _ @ -, and no name that Breakwater has itself.';

export const isActorName = (text: string): boolean => form.test(text) && !ours.test(text);
