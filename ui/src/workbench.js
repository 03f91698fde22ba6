import './portal.js'
import './css/workbench.css'

// j and k move through the inbox, Enter opens, x picks the row; keys are ignored while typing.
const rows = () => [...document.querySelectorAll('.inbox tbody td > a')]
document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input:not([type=checkbox]), textarea, select')) return
  const links = rows()
  if (event.key === 'x') document.activeElement.closest('tr')?.querySelector('[name=work]')?.click()
  if (!links.length || !['j', 'k'].includes(event.key)) return
  const at = links.indexOf(document.activeElement)
  links[Math.max(0, Math.min(links.length - 1, at + (event.key === 'j' ? 1 : -1)))].focus()
})
