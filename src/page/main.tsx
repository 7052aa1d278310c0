import { render } from 'preact';

render(<p>The page is being made.</p>, document.body);
