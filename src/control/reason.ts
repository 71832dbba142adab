/** Why a person decided something: kept with the decision, and never empty. */
import { z } from 'zod';

const lengthMax = 500;

export const reason = z.string().trim().min(1, 'say why, in a few words').max(lengthMax);
