/** Skills: instructions in folders of the workspace and of the state directory. Reads them, says which fit this machine and
 *  names those for the prompt; owns no table and writes nothing. Knows nothing of agents beyond where their workspace is. */
export { type Skill, Skills, type SkillsOptions } from "./skills.ts";
export { type SkillsConfig, skillsSection } from "./skills.config.ts";
export { skillsMethods } from "./skills.methods.ts";
