import { type Json, parseObject } from '../../../src/core/json.ts';
import type { Context } from '../context.ts';
import { doctorJson } from '../doctor/doctorView.ts';
import { examine } from '../doctor/examine.ts';

/** What `./manage doctor` finds, which asks nobody over the network; its own failure is a finding, too. */
export async function askDoctor(context: Context, names: readonly string[]): Promise<Json> {
  try {
    return parseObject(doctorJson(await examine(context, names, false), []))?.['findings'] ?? null;
  } catch (error) {
    return `failed: ${error instanceof Error ? error.message : String(error)}`;
  }
}
