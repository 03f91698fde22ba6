import { defineConfig } from 'vite'

// One entry per surface; bpmn-js only where a flow is drawn. Django serves the result from /static/.
export default defineConfig({
  base: '/static/',
  build: {
    manifest: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the Content-Security-Policy allows no data: scripts or fonts
    rolldownOptions: { input: ['src/portal.js', 'src/workbench.js', 'src/flow.js', 'src/upload.js'] },
  },
})
