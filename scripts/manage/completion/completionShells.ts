/** The shells for which there is a completion. */
export const completionShells = ['bash', 'zsh', 'fish'] as const;
