// Restricts a process that has fewer rights than the program: the process is locked down, and its realm is
// sealed. Done once, before any code of the user's runs.

import { InvalidStateError } from "../errors.ts";
import { hideControl } from "../liveness/control_block.ts";
import { hideSlot } from "../liveness/wait_board.ts";
import { forgetKey } from "../transfer/signature.ts";
import { hideTelemetry } from "../platform/telemetry.ts";
import { muteMetrics } from "../telemetry/queue_metrics.ts";
import { muteSpans } from "../telemetry/spans.ts";
import { mute } from "../wait/broadcast.ts";
import type { Grants } from "../protocol/grants.ts";
import type { ChildPart } from "../protocol/spawn_request.ts";
import { adoptGrants } from "../process/permissions.ts";
import { lockDown } from "./lockdown.ts";
import { sealRealm } from "./sealed_realm.ts";
import * as primordials from "../platform/primordials.ts";

const { Object } = primordials;

/** Takes from this process everything it may not have. A process without a key has permissions of its own. */
export function confine(
  { grants, key, sealed }: Pick<ChildPart, "grants" | "key" | "sealed">,
): void {
  const areOwn = key === undefined;
  const isRestricted = areOwn || grants !== undefined;
  adoptGrants(grants, areOwn, isRestricted ? sealed : undefined);
  if (areOwn) {
    muteSpans();
    muteMetrics();
  }
  if (isRestricted) {
    lockDown(mayRunAll(grants!), sealed !== undefined);
    if (sealed !== undefined) {
      mute();
      forgetKey();
      hideControl();
      hideSlot();
      hideTelemetry();
      sealRealm(grants!, sealed.keep);
    }
  }
  if (!areOwn) keepShared();
}

function mayRunAll({ run }: Grants): boolean {
  return run === true || run === "inherit";
}

/** The prototype of Deno.permissions, whose methods can be replaced. */
const methods: Record<"revoke" | "revokeSync", unknown> = Object.getPrototypeOf(
  globalThis.Deno.permissions,
);

/**
 * Keeps a process that inherits its permissions from revoking them. It has the permissions of its starter
 * themselves, not a copy: what it revoked would be lost to the whole program (platform/threads.ts).
 */
function keepShared(): void {
  const revokeSync = () => {
    throw new InvalidStateError(
      "This process shares its permissions with the one that started it, and revoking one would take " +
        'it from both. Start the process with the permissions it needs: permissions: { read: ["./data"] }.',
    );
  };
  methods.revokeSync = revokeSync;
  // deno-lint-ignore require-await
  methods.revoke = async () => revokeSync();
}
