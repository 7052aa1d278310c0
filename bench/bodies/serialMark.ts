/** Stands in a body where each request gets a number of its own; the same length as the number. */
export const SERIAL_MARK = '#serial-number#';
