/** The shape in which captured content is shown. */
import { z } from 'zod';

const body = z.object({ text: z.string(), bytes: z.int().nonnegative(), cut: z.boolean() });

export const contentAnswers = {
  Content: z.object({ request: z.string(), question: body, answer: body }),
} as const satisfies Record<string, z.ZodType>;
