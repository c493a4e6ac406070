/** The look of the page. Quiet: what is shown belongs to the agent. */
export const style = `
:root { color-scheme: light dark; }
openclaw-a2ui-host { --primary: #2f6fed; --line: color-mix(in srgb, CanvasText 16%, transparent); --soft: color-mix(in srgb, CanvasText 6%, transparent);
  display: block; min-height: 100vh; box-sizing: border-box; padding: max(1rem, env(safe-area-inset-top)) 1rem 1rem; font: 16px/1.5 system-ui, sans-serif; color: CanvasText; background: Canvas; }
html[data-platform="ios"] openclaw-a2ui-host { padding-bottom: max(1.5rem, env(safe-area-inset-bottom)); }
body { margin: 0; }
openclaw-a2ui-host * { box-sizing: border-box; }
.empty { color: GrayText; text-align: center; padding-top: 30vh; }
.surface { max-width: 40rem; margin: 0 auto 1rem; overflow-wrap: break-word; }
.row { display: flex; flex-direction: row; gap: .5rem; align-items: center; min-width: 0; max-width: 100%; } .row.spread { width: 100%; }
.row > * { min-width: 0; } .row > .image-mediumFeature { width: 4rem; height: 4rem; min-height: 0; flex: none; } .row > .column { flex: 0 1 auto; }
.column, .list { display: flex; flex-direction: column; gap: .5rem; min-width: 0; align-items: stretch; }
.card > .column, .surface > .column { width: 100%; }
.list.horizontal { flex-direction: row; overflow-x: auto; }
.card { padding: 1rem; border: 1px solid var(--line); border-radius: 1rem; background: var(--soft); width: 100%; }
.divider { border: 0; border-top: 1px solid var(--line); width: 100%; margin: .25rem 0; }
.divider.vertical { border-top: 0; border-left: 1px solid var(--line); width: 0; height: auto; align-self: stretch; margin: 0 .25rem; }
.text { margin: 0; font-weight: inherit; }
h1.text { font-size: 2rem; line-height: 1.2; } h2.text { font-size: 1.5rem; line-height: 1.25; } h3.text { font-size: 1.2rem; line-height: 1.3; } h4.text { font-size: 1.05rem; } h5.text { font-size: .95rem; }
h1.text, h2.text, h3.text, h4.text, h5.text { font-weight: 650; }
.text-caption { font-size: .85rem; color: color-mix(in srgb, CanvasText 65%, transparent); }
.symbol { display: inline-flex; } .icon { width: 1.35em; height: 1.35em; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.image { max-width: 100%; border-radius: .5rem; object-fit: cover; background: var(--line); display: block; }
.image.broken { opacity: .5; }
.image-icon { width: 1.5rem; height: 1.5rem; } .image-avatar { width: 2.5rem; height: 2.5rem; border-radius: 50%; flex: none; }
.image-smallFeature { width: 4rem; height: 4rem; } .image-mediumFeature { width: 100%; max-height: 12rem; min-height: 3rem; } .image-largeFeature, .image-header { width: 100%; max-height: 20rem; min-height: 4rem; }
.video { width: 100%; border-radius: .5rem; background: #000; } .audio { margin: 0; } .audio audio { width: 100%; }
.button { font: inherit; color: inherit; background: none; border: 1px solid var(--line); border-radius: .6rem; padding: .5rem .9rem; cursor: pointer; display: inline-flex; align-items: center; justify-content: center; gap: .4rem; }
.button:hover { background: var(--soft); } .button.primary { background: var(--primary); border-color: var(--primary); color: #fff; }
.button:focus-visible, .tab:focus-visible, .modal-entry:focus-visible, input:focus-visible, textarea:focus-visible { outline: 2px solid var(--primary); outline-offset: 2px; }
.field { display: flex; flex-direction: column; gap: .25rem; width: 100%; } .label { font-size: .9rem; }
.field input:not([type="range"]), .field textarea, .choices input[type="search"] { font: inherit; color: inherit; background: Canvas; border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .6rem; width: 100%; }
.field textarea { min-height: 5rem; resize: vertical; } [aria-invalid="true"] { border-color: #c33 !important; }
.slider { display: grid; grid-template-columns: 1fr auto; align-items: center; } .slider .label { grid-column: 1 / -1; }
input { accent-color: var(--primary); } .check, .choice { display: flex; flex-direction: row-reverse; justify-content: flex-end; align-items: center; gap: .5rem; } .check .label, .choice .label { font-size: inherit; }
.choices { display: flex; flex-direction: column; gap: .4rem; } .choices.chips { flex-flow: row wrap; } .chips .choice { border: 1px solid var(--line); border-radius: 99px; padding: .2rem .7rem; } .choice[hidden] { display: none; }
.tab-list { display: flex; gap: .25rem; border-bottom: 1px solid var(--line); margin-bottom: .5rem; } .tab { font: inherit; color: inherit; background: none; border: 0; border-bottom: 2px solid transparent; padding: .4rem .7rem; cursor: pointer; } .tab[aria-selected="true"] { border-color: var(--primary); }
.modal { border: 1px solid var(--line); border-radius: 1rem; padding: 1rem; max-width: min(36rem, 90vw); color: CanvasText; background: Canvas; } .modal::backdrop { background: rgb(0 0 0 / .4); } .modal-close { margin-top: 1rem; font: inherit; } .modal-entry { cursor: pointer; }
.placeholder { color: GrayText; border: 1px dashed var(--line); border-radius: .3rem; padding: 0 .4rem; font-size: .85rem; }
.status { position: fixed; top: max(.5rem, env(safe-area-inset-top)); right: .5rem; background: Canvas; border: 1px solid var(--line); border-radius: 99px; padding: .2rem .8rem; font-size: .85rem; }
.toast { position: fixed; bottom: max(1rem, env(safe-area-inset-bottom)); left: 50%; translate: -50% 0; background: #a22; color: #fff; border-radius: .6rem; padding: .5rem 1rem; max-width: 90vw; }
[hidden] { display: none !important; }
@media (prefers-reduced-motion: no-preference) { .button, .tab { transition: background .15s, border-color .15s; } }
`;
