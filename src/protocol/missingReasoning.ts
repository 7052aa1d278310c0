/** Stands in for thoughts that are lost, where a provider insists on some (R134). */
export const MISSING_REASONING = '(reasoning not available)';
