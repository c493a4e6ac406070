/** Tools: what agents can do, and under which rules. Owns the tool contract, the policy, the file, shell and web tools and
 *  every process they start. A call never throws: whatever goes wrong becomes a result the model can read. After `stop` of
 *  `Processes` no command it started is left running. */
export { coreTools, type CoreToolsOptions } from "./core-tools.ts";
export { type GatewayPort, type GatewayRestart, gatewayTool } from "./gateway.tool.ts";
export { ChildFile, type ChildLedger, type ChildRecord, killLeftovers } from "./leftovers.ts";
export { allowedTools, type ToolPolicyConfig, type ToolRules, toolGroups, toolName, toolProfiles } from "./policy.ts";
export { Processes, type ProcessesOptions } from "./processes.ts";
export {
  errorResult,
  type RunOrigin,
  textResult,
  tool,
  type Tool,
  type ToolBox,
  type ToolContext,
  type ToolResult,
} from "./tool.ts";
export { type RunFacts, Tools, type ToolsOptions } from "./tools.ts";
export { type AgentToolsConfig, agentToolsSchema, type ToolsConfig, toolsSection } from "./tools.config.ts";
export { toolsMethods } from "./tools.methods.ts";
export { wrapUntrusted } from "./untrusted-text.ts";
export { type WebFile, webFiles } from "./web-file.ts";
