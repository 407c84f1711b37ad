'use strict';

// Quizzes that answer, and what mdBook's own pages lack for people who use them with a
// keyboard or a screen reader.

(function menus() {
  // The switch of the sidebar is a label, which the keyboard does not reach.
  const label = document.getElementById('mdbook-sidebar-toggle');
  const state = document.getElementById('mdbook-sidebar-toggle-anchor');
  const button = document.createElement('button');
  button.type = 'button';
  for (const { name, value } of label.attributes) {
    if (name !== 'for') button.setAttribute(name, value);
  }
  button.append(...label.childNodes);
  button.addEventListener('click', () => state.click());
  const show = () => button.setAttribute('aria-expanded', String(state.checked));
  state.addEventListener('change', show);
  show();
  label.replaceWith(button);

  // Everything on a page belongs to a landmark.
  document.getElementById('mdbook-menu-bar').setAttribute('role', 'banner');
  document.getElementById('mdbook-search-wrapper')?.setAttribute('role', 'search');
  const search = document.getElementById('mdbook-searchbar');
  search?.setAttribute('aria-label', 'Search this book');
  search?.setAttribute('aria-describedby', 'mdbook-searchresults-header');

  // These themes are not made for the course's colours.
  for (const name of ['rust', 'coal', 'ayu']) {
    document.getElementById(`mdbook-theme-${name}`)?.parentElement.remove();
  }
})();

(function scrollers() {
  // What scrolls sideways can be scrolled with the keyboard, and says what it is.
  const name = (box) => {
    const caption = box.closest('figure')?.querySelector('figcaption');
    return caption ? caption.textContent.trim() : 'Scrolls sideways';
  };
  const update = (box) => {
    if (box.scrollWidth > box.clientWidth) {
      box.tabIndex = 0;
      box.setAttribute('role', 'group');
      box.setAttribute('aria-label', name(box));
    } else {
      for (const attribute of ['tabindex', 'role', 'aria-label']) {
        box.removeAttribute(attribute);
      }
    }
  };
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) update(target);
  });
  const boxes = document.querySelectorAll(
    'main pre > code, main .table-wrapper, main .diagram .scroll',
  );
  for (const box of boxes) sizes.observe(box);
})();

(function quizzes() {
  for (const quiz of document.querySelectorAll('.quiz')) {
    const button = quiz.querySelector('button');
    const output = quiz.querySelector('output');
    const why = quiz.querySelector('details');
    const say = (verdict, text) => {
      output.className = verdict;
      output.textContent = text;
    };
    button.hidden = false;
    button.addEventListener('click', () => {
      const choice = quiz.querySelector('input:checked');
      if (!choice) say('', 'Choose one first.');
      else if (choice.value === 'right') {
        say('right', '✓ Right.');
        why.open = true;
      } else say('wrong', '✗ Not this one.');
    });
    // A verdict is about the choice that it was given for.
    quiz.addEventListener('change', () => say('', ''));
  }
})();
