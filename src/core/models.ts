/**
 * The names models go by. Providers hang dates, `-latest` and host prefixes on one and the same model version; a
 * switch or a health cell must not be fooled by that.
 */
const decorations: readonly RegExp[] = [
  /^models\//, // Gemini
  /^(?:us|eu|apac|global|jp|au)\.(?=[a-z]+\.)/, // Bedrock inference profiles
  /^(?:anthropic|meta|mistral|amazon|cohere)\.(?=[a-z])/, // Bedrock
  /^(?:anthropic|openai|google|meta-llama|mistralai)\/(?=[a-z])/, // OpenRouter
  /-v\d+:\d+$/, // Bedrock
  /(?<=^claude-[a-z]+-\d+(?:-\d+)?)-v\d+$/, // Bedrock, without a revision
  /@(?:\d{8}|default|latest)$/, // Vertex
  /-(?:\d{8}|\d{4}-\d{2}-\d{2})$/, // dated snapshots
  /-latest$/,
];

/** The name without host prefix, date or `-latest`: `us.anthropic.claude-opus-4-8-20260601-v1:0` → `claude-opus-4-8`. */
export function undatedModel(name: string): string {
  let bare = name;
  for (const decoration of decorations) bare = bare.replace(decoration, '');
  return bare;
}
