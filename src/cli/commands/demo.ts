// shoal demo: step by step on screen, real processes.

export async function run(): Promise<void> {}
