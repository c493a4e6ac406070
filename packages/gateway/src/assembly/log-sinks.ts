/** Where log lines go: the console and a rolling JSON file (lifecycle.md §8). Never throws. Every line passes the redactor. */
export { consoleSink, shortSubsystem, type ConsoleOptions } from "./log-console.ts";
export { dailyLogFile, fileSink, type FileOptions, type FileSink } from "./log-file.ts";
export { ensureLogFolder, logFolder, type LogFolder } from "./log-folder.ts";
export { escapeControls, type Threshold } from "./log-text.ts";
