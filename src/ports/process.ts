/** A role that runs in this process, as its composition root hands it to whoever started it. */
export interface RunningRole {
  /** HOST:PORT that others dial. */
  readonly address: string;
  /** Base URL of the admin HTTP port; undefined if it has none. */
  readonly admin: string | undefined;
  /** Settles when the role ended by itself: rejects with the reason, for the operator. */
  readonly ended: Promise<void>;
  /** Shuts down in order, within the drain time; may be called twice. */
  stop(): Promise<void>;
}
