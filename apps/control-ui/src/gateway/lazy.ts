/** Parts of the connection that most pages never need. */
export const loadScriptedIdentity = () => import("./scripted-identity.ts");
