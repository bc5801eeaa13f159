import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    manifest: true,
    target: 'es2023',
    // Inlined assets become `data:` addresses, which the pages' content security policy does not allow.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          // What several pages share comes in one file, not in a dozen small ones; schemas stay with the pages that parse.
          groups: [{ name: 'shared', minShareCount: 2, test: /node_modules\/(?!zod\/)|web\/src\// }],
        },
      },
    },
  },
});
