/** Reads the JSON body of an admin call, bounded. Verbs of control parse it themselves, so that a rejection is recorded. */
import type { z } from 'zod';

import { invalidInput } from './admin-error.ts';
import type { Read } from './admin-error.ts';

/** A configuration to check is the largest body there is. */
const bodyBytesMax = 5 * 1_048_576;

export async function readAdminBody(request: Request, schema: z.ZodType | null): Promise<Read<unknown>> {
  if (schema === null) return { kind: 'read', value: null };
  if (Number(request.headers.get('content-length') ?? 0) > bodyBytesMax)
    return {
      kind: 'error',
      error: {
        status: 413,
        code: 'too_large',
        message: `The body is larger than ${bodyBytesMax} bytes.`,
        remedy: 'Send less.',
        field: null,
      },
    };
  const text = await request.text();
  if (text.length > bodyBytesMax)
    return {
      kind: 'error',
      error: {
        status: 413,
        code: 'too_large',
        message: `The body is larger than ${bodyBytesMax} bytes.`,
        remedy: 'Send less.',
        field: null,
      },
    };
  try {
    return { kind: 'read', value: JSON.parse(text) };
  } catch {
    return invalidInput('The body is not JSON.', 'Send a JSON object.', null);
  }
}
