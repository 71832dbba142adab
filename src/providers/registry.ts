/** Which adapter speaks to a provider. */
import type { ProviderApi } from '../core/target.ts';
import { anthropic } from './anthropic.ts';
import { google } from './google.ts';
import { openai } from './openai.ts';
import { azureOpenai } from './azure-openai.ts';
import { bedrock } from './bedrock.ts';
import { vertex } from './vertex.ts';
import type { ProviderAdapter } from './provider.ts';

export function adapterFor(api: ProviderApi): ProviderAdapter {
  switch (api) {
    case 'anthropic':
      return anthropic;
    case 'google':
      return google;
    case 'openai':
    case 'openai-compatible':
      return openai;
    case 'bedrock':
      return bedrock;
    case 'vertex':
      return vertex;
    case 'azure-openai':
      return azureOpenai;
  }
}
