/** Decides which operations of the workers' bindings fail: what `faulty` in test/faulty-bindings.ts asks. */

import { createServer } from "node:http";

export interface Fault {
  /** Of `METRICS_0.write before` and the like. */
  operation: RegExp;
  /** So many operations fail, then no more. */
  times: number;
  /** Instead of being answered: the process that asks ends here, say. */
  instead?: () => void;
}

export interface FaultServer {
  url: string;
  /** From now on. Resolves when it has failed as often as it should. */
  inject(fault: Fault): Promise<void>;
  close(): Promise<void>;
}

export async function faultServer(): Promise<FaultServer> {
  const faults: { fault: Fault; left: number; spent: () => void }[] = [];
  const server = createServer((request, response) => {
    const asked = (request.url ?? "").slice(1).replace("/", " ");
    const found = faults.find(({ fault, left }) => left > 0 && fault.operation.test(asked));
    if (found === undefined) {
      response.end();
      return;
    }
    found.left--;
    if (found.fault.instead) found.fault.instead();
    else response.writeHead(500).end();
    if (found.left === 0) found.spent();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    inject: (fault) =>
      new Promise((spent) => {
        faults.push({ fault, left: fault.times, spent });
      }),
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
