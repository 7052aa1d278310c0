export function SetupView() { return null; }
