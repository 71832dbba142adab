export function bunEnvironment(command: string | undefined): Record<string, string>;
export function findBun(root: string): string;
