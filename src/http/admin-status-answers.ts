/** What the admin API answers of the status site. */
import { z } from 'zod';

export const statusAnswers = {
  StatusCopy: z.object({ files: z.array(z.object({ path: z.string(), text: z.string() })) }),
} as const satisfies Record<string, z.ZodType>;
