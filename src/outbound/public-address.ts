/** Whether an address on the network is anybody's: not this machine, not this network, not one kept for special use. */
import { BlockList, isIP } from 'node:net';

const special = new BlockList();
const ranges4 = [
  ['0.0.0.0', 8], // this network
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // carriers' own
  ['127.0.0.0', 8],
  ['169.254.0.0', 16], // link-local, and the clouds' metadata
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const;
const ranges6 = [
  ['::', 127], // unspecified and loopback
  ['64:ff9b::', 96], // translations to the older addresses
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const;
for (const [network, prefix] of ranges4) special.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of ranges6) special.addSubnet(network, prefix, 'ipv6');

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

export function isPublicAddress(address: string): boolean {
  const inner = mapped.exec(address)?.[1];
  if (inner !== undefined) return isPublicAddress(inner);
  switch (isIP(address)) {
    case 4:
      return !special.check(address, 'ipv4');
    case 6:
      // Older addresses in the notation of the newer ones say nothing honest.
      return !/^::ffff:/i.test(address) && !special.check(address, 'ipv6');
    default:
      return false;
  }
}
