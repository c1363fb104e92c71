// Builds the dashboard into dist/dashboard: static files, no inline script, served by the broadcast room.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));

export default defineConfig({
  root: here,
  base: './',
  publicDir: 'public',
  build: {
    outDir: '../../dist/dashboard',
    emptyOutDir: true,
    target: 'es2022',
    // Everything is a file of its own, so that `script-src 'self'` and `img-src 'self'` suffice.
    assetsInlineLimit: 0,
    modulePreload: false,
  },
  worker: { format: 'es' },
});
