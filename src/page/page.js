// Keeps the page's numbers up to date, which it has without this script, too.
'use strict';

(function () {
	const shown = 4000; // characters that are kept
	const find = (selector) => document.querySelector(selector);
	const all = (selector) => document.querySelectorAll(selector);

	// What comes from the log is text, never markup.
	function fill(body, rows) {
		body.replaceChildren(...rows.map((row) => {
			const line = document.createElement('tr');
			for (const text of row) {
				const cell = document.createElement('td');
				cell.textContent = text;
				line.append(cell);
			}
			return line;
		}));
	}

	function show(state) {
		for (const element of all('[data-key]'))
			if (element.dataset.key in state.values)
				element.textContent = state.values[element.dataset.key];
		for (const element of all('[data-points]'))
			element.setAttribute('points', state.values[element.dataset.points]);
		find('#state').className = state.values.state_class;
		const sessions = find('#sessions'), records = find('#records');
		if (sessions && state.sessions)
			fill(sessions, state.sessions);
		if (records && state.records)
			records.textContent = state.records.join('\n');
	}

	function addCharacters(text) {
		const output = find('#characters');
		if (!output)
			return;
		const atEnd = output.scrollTop + output.clientHeight >= output.scrollHeight - 4;
		output.textContent = (output.textContent + text).slice(-shown);
		if (atEnd)
			output.scrollTop = output.scrollHeight;
	}

	// A browser connects again by itself, but not where it was answered with an error: there were too many.
	function follow() {
		const events = new EventSource('/events');
		events.addEventListener('state', (event) => show(JSON.parse(event.data)));
		events.addEventListener('chars', (event) => addCharacters(event.data));
		events.onopen = () => { find('#link').hidden = true; };
		events.onerror = () => {
			find('#link').hidden = false;
			if (events.readyState === EventSource.CLOSED)
				setTimeout(follow, 5000);
		};
	}
	follow();

	// A form is sent without leaving the page; its answer stands in a field of its own.
	for (const form of all('form[data-answer]'))
		form.addEventListener('submit', async (event) => {
			event.preventDefault();
			const field = find(form.dataset.answer);
			const response = await fetch(form.action, {
				method: 'POST',
				headers: {Accept: 'text/plain'},
				body: new URLSearchParams(new FormData(form)),
			}).catch(() => null);
			const text = response ? (await response.text()).trim() : 'No connection to the server.';
			field.textContent = text;
			field.className = response && response.ok ? '' : 'bad';
		});
})();
