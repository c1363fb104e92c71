/** The node's settings as options of a command: made from the one table in ops/settings.ts. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { SETTINGS, variableOf } from '../ops/settings.js';
import type { Setting } from '../ops/settings.js';

/** Adds every setting whose path `wanted` accepts. */
export function addSettingOptions(command: Command, wanted: (setting: Setting) => boolean): void {
  for (const setting of SETTINGS.filter(wanted)) {
    command.addOption(new Option(setting.flag, `${setting.about} [${variableOf(setting)}]`));
  }
}

/** Raw text of the flags that stand on the command line, by setting path. */
export function givenSettings(command: Command): Map<string, string> {
  const given = new Map<string, string>();
  for (const setting of SETTINGS) {
    const name = new Option(setting.flag).attributeName();
    if (command.getOptionValueSource(name) !== 'cli') continue;
    given.set(setting.path, String(command.getOptionValue(name)));
  }
  return given;
}
