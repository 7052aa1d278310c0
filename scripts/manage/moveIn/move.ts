/** A file for envs/, made from one of an earlier system. */
export interface PlannedFile {
  /** Relative to the project. */
  readonly path: string;
  /** The file that it is made from. */
  readonly source: string;
  readonly text: string;
}

/** What could not be carried over as it is, where it stands, and what becomes of it. */
export interface Remark {
  readonly source: string;
  /** 1-based. */
  readonly line?: number | undefined;
  readonly setting: string;
  readonly reason: string;
}

/** What the instances of one place become here. */
export interface Move {
  readonly files: readonly PlannedFile[];
  readonly remarks: readonly Remark[];
}
