/** The mark of the product: three strokes of a claw. */
export const Mark = () => (
  <svg class="mark" viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
    <rect width="32" height="32" rx="8" />
    <g fill="none" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round">
      <path d="M8 22c2.5-1.2 4-3.4 4-7.2C12 11 13.4 8.4 16 7" />
      <path d="M14.6 24.4c2.2-1.4 3.4-3.8 3.4-7.6 0-3.4 1-5.8 3-7.3" />
      <path d="M21.4 25c1.7-1.4 2.6-3.6 2.6-6.6 0-2 .4-3.7 1.2-5" />
    </g>
  </svg>
);
