/** The `adapt` section of a feature: what is changed in a request per target. Part of `configuration.ts`. */
import { z } from 'zod';

const tools = z.enum(['none', 'all']);
const outputTokens = z.int().positive();

export const adaptSchema = z.strictObject({
  system: z
    .strictObject({
      append: z.string().optional().describe('Text after the system prompt.'),
      prepend: z.string().optional().describe('Text before the system prompt.'),
      replace: z
        .string()
        .optional()
        .describe('Text in place of the system prompt; {{system}} is the original.'),
    })
    .optional(),
  params: z
    .strictObject({
      temperature: z.number().min(0).max(2).optional(),
      topP: z.number().min(0).max(1).optional(),
      topK: z.int().positive().optional(),
      stop: z.array(z.string().min(1)).max(16).optional(),
      effort: z.enum(['none', 'minimal', 'low', 'medium', 'high']).optional(),
      maxOutputTokens: outputTokens.optional().describe('Longest answer, whatever the caller allows.'),
    })
    .optional()
    .describe('What the model does not take is left out and named in a warning.'),
  tools: tools.optional().describe('none: the model is asked without tools.'),
  format: z
    .enum(['text', 'json'])
    .optional()
    .describe('json: a wished structure becomes JSON with its schema in the prompt; text: it is dropped.'),
  reduce: z
    .strictObject({
      maxOutputTokens: outputTokens.optional(),
      tools: tools.optional(),
      systemReplace: z.string().optional().describe('The system prompt of the limited mode.'),
    })
    .optional()
    .describe('The limited mode: on top of the rest, for hops whose fallback is reduce.'),
});

export type AdaptConfiguration = z.infer<typeof adaptSchema>;
