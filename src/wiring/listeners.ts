/** Where the server listens: at one address for everything, or with admin API and status site at addresses of their own. */
import { listen } from '../http/server.ts';
import type { FrontDoor, Listening, Service } from '../http/server.ts';

export type Address = { readonly host: string; readonly port: number };
export type Addresses = {
  readonly main: Address;
  readonly admin: Address | null;
  readonly status: Address | null;
};

export type Listeners = {
  readonly url: string;
  readonly adminUrl: string;
  readonly statusUrl: string;
  readonly stop: () => Promise<void>;
};

/** An address could not be listened on. */
export class AddressTaken extends Error {
  readonly address: Address;
  readonly code: string;
  constructor(address: Address, cause: unknown) {
    super('an address cannot be listened on', { cause });
    this.address = address;
    this.code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : 'Error';
  }
}

type Door = Omit<FrontDoor, 'host' | 'port' | 'serves'>;

function listenAt(door: Door, address: Address, serves: readonly Service[]): Listening {
  try {
    return listen({ ...door, ...address, serves: new Set(serves) });
  } catch (error) {
    throw new AddressTaken(address, error);
  }
}

/** Opens all or none. */
export async function openListeners(door: Door, { main, admin, status }: Addresses): Promise<Listeners> {
  const opened: Listening[] = [];
  const open = (address: Address, serves: readonly Service[]): Listening => {
    const listening = listenAt(door, address, serves);
    opened.push(listening);
    return listening;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(opened.map((listening) => listening.stop()));
  };
  try {
    const first = open(main, [
      'data',
      ...(admin === null ? (['admin'] as const) : []),
      ...(status === null ? (['status'] as const) : []),
    ]);
    const second = admin === null ? first : open(admin, ['admin']);
    const third = status === null ? first : open(status, ['status']);
    return { url: first.url, adminUrl: second.url, statusUrl: third.url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
