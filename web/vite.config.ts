// Builds the page into the Python package, which serves it.
import { defineConfig } from "vite";

export default defineConfig({
  build: {
    outDir: "../src/pilotfish/dashboard/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the page's policy (CSP) allows no data: scripts or styles
  },
  // `npm run dev` shows the page of a running `pilotfish proxy`.
  server: { proxy: { "/api": { target: "http://127.0.0.1:8899", ws: true } } },
});
