/** Who may do what in the admin API: a role held, and the roles of the table it stands for. Nothing else is allowed. */
export const roles = ['viewer', 'responder', 'operator', 'comms', 'auditor', 'admin'] as const;
export type Role = (typeof roles)[number];

const standsFor: Record<Role, readonly Role[]> = {
  viewer: ['viewer'],
  responder: ['viewer', 'responder'],
  comms: ['viewer', 'comms'],
  auditor: ['viewer', 'auditor'],
  operator: ['viewer', 'responder', 'comms', 'operator'],
  admin: roles,
};

export function mayAct(held: Role, required: Role): boolean {
  return standsFor[held].includes(required);
}
