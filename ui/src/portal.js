import './css/tokens.css'
import './css/components.css'
import 'htmx.org'

// Everything below improves pages that already work without JavaScript.

const root = document.documentElement

document.addEventListener('click', event => {
  const read = event.target.closest('[data-read-aloud]')
  if (read) readAloud(read)
  if (event.target.closest('[data-print]')) window.print()
})

function readAloud(button) {
  const speech = window.speechSynthesis
  if (speech.speaking) { speech.cancel(); button.setAttribute('aria-pressed', 'false'); return }
  const words = new SpeechSynthesisUtterance(document.getElementById('main').innerText)
  words.lang = root.lang || 'zh-CN'
  words.rate = 0.9
  words.onend = () => button.setAttribute('aria-pressed', 'false')
  button.setAttribute('aria-pressed', 'true')
  speech.speak(words)
}

function arrive(scope) {
  if ('speechSynthesis' in window) scope.querySelectorAll('[data-read-aloud]').forEach(b => { b.hidden = false })
  // An error summary takes the focus, so that it is heard and seen first.
  scope.querySelector('.errs')?.focus()
}

// A second press while the first is under way must not send the form again.
document.addEventListener('submit', event => {
  const form = event.target
  if (form.dataset.sent) { event.preventDefault(); return }
  form.dataset.sent = '1'
  setTimeout(() => { delete form.dataset.sent }, 4000)
})
addEventListener('pageshow', () => document.querySelectorAll('form[data-sent]').forEach(f => { delete f.dataset.sent }))

arrive(document)
