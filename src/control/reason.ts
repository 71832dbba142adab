/** Why a person decided something: kept with the decision, and never empty. */
import { z } from 'zod';

const lengthMax = 500;

export const reason = z
  .string()
  .trim()
  .min(3, 'say why, in a few words')
  .max(lengthMax)
  .refine((text) => text.replaceAll(/\s/g, '').length >= 3, 'say why, in a few words');
