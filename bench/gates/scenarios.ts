/**
 * The fifteen fault scenarios, each with the thresholds that it must hold (more than fifteen cases: some are measured at
 * two rates, and some are only there to see that the right scope is named). Five requests a second and feature, a
 * background of 0.5 %, two backups, unless said otherwise.
 */
import type { Case } from './case.ts';
import { restlessScenarios } from './restless-scenarios.ts';
import { scopeScenarios } from './scope-scenarios.ts';
import { sickScenarios } from './sick-scenarios.ts';

export const scenarios: readonly Case[] = [...sickScenarios, ...restlessScenarios, ...scopeScenarios];
