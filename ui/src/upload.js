// Uploads a large file in pieces. A broken line is waited out; the same file chosen again goes on where it stopped.
const form = document.querySelector('[data-upload]')
const wait = seconds => new Promise(done => setTimeout(done, seconds * 1000))

if (form) form.addEventListener('submit', event => {
  event.preventDefault()
  send(form.elements.file.files[0]).catch(error => fail(error.message))
})

function fail(text) {
  const place = form.querySelector('[data-error]')
  place.textContent = text
  place.hidden = false
  form.querySelector('[data-progress]').hidden = true
  form.querySelector('button').disabled = false
}

async function send(file) {
  form.querySelector('[data-error]').hidden = true
  form.querySelector('button').disabled = true
  form.querySelector('[data-progress]').hidden = false
  const bar = form.querySelector('progress'), say = form.querySelector('[data-say]')
  const told = ['as_of', 'mode', 'office'].map(name => form.elements[name]?.value ?? '')
  const key = ['upload', form.dataset.upload, file.name, file.size, file.lastModified, ...told].join(':')
  let { address, offset, piece } = await resume(key) || await begin(file, key)
  for (let tries = 0; ;) {
    bar.value = file.size ? 100 * offset / file.size : 0
    say.textContent = `${(offset / 1048576).toFixed(1)} / ${(file.size / 1048576).toFixed(1)} MB`
    let answer
    try {
      answer = await fetch(`${address}?offset=${offset}`, {
        method: 'POST', body: file.slice(offset, offset + piece),
        headers: { 'X-CSRFToken': form.elements.csrfmiddlewaretoken.value, 'Content-Type': 'application/octet-stream' },
        signal: AbortSignal.timeout?.(300_000),  // a line that died without a word
      })
    } catch {
      answer = { status: 0 }
    }
    if (answer.status === 507) {  // the disk is full: what came is kept
      throw new Error((await answer.json().catch(() => null))?.error || say.dataset.lost)
    }
    if (answer.status === 0 || answer.status === 429 || answer.status >= 500) {
      if (++tries > 60) throw new Error(say.dataset.lost)
      await wait(Math.min(tries * 2, 20))
      const told = await fetch(address).then(a => a.json()).catch(() => null)
      if (told?.done) { location.href = told.done; return }
      if (told) offset = told.offset
      continue
    }
    const told = await answer.json().catch(() => ({ error: `${answer.status}` }))
    if (answer.status === 409) { offset = told.offset; continue }
    if (answer.status === 401 || answer.status === 403) throw new Error(say.dataset.out)  // what came is kept
    if (!answer.ok) { localStorage.removeItem(key); throw new Error(told.error) }
    tries = 0
    offset = told.offset
    if (told.done) {
      localStorage.removeItem(key)
      location.href = told.done
      return
    }
  }
}

async function resume(key) {
  const kept = JSON.parse(localStorage.getItem(key) || 'null')
  if (!kept) return null
  const answer = await fetch(kept.address).catch(() => null)
  if (!answer?.ok) { localStorage.removeItem(key); return null }
  const told = await answer.json()
  if (told.done) { localStorage.removeItem(key); return null }
  return { ...kept, offset: told.offset }
}

async function begin(file, key) {
  const body = new FormData()
  for (const name of ['csrfmiddlewaretoken', 'as_of', 'mode', 'office']) body.set(name, form.elements[name]?.value ?? '')
  body.set('name', file.name)
  body.set('size', file.size)
  const answer = await fetch(form.dataset.upload, { method: 'POST', body })
  const told = await answer.json()
  if (!answer.ok) throw new Error(told.error)
  localStorage.setItem(key, JSON.stringify({ address: told.address, piece: told.piece }))
  return told
}
