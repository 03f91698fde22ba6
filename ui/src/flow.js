// Draws a case's flow with bpmn-js, the current step lit. Without JavaScript the history table says the same.
import 'bpmn-js/dist/assets/diagram-js.css'
import 'bpmn-js/dist/assets/bpmn-js.css'
import Viewer from 'bpmn-js/lib/NavigatedViewer'

for (const box of document.querySelectorAll('[data-flow]')) {
  const viewer = new Viewer({ container: box })
  const xml = await (await fetch(box.dataset.flow)).text()
  await viewer.importXML(xml)
  const canvas = viewer.get('canvas')
  canvas.zoom('fit-viewport', 'auto')
  for (const id of box.dataset.past.split(' ').filter(Boolean)) if (viewer.get('elementRegistry').get(id)) canvas.addMarker(id, 'past')
  for (const id of box.dataset.now.split(' ').filter(Boolean)) canvas.addMarker(id, 'lit')
}
