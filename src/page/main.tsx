import { render } from 'preact';
import { KEY_HEADER } from '../cli/ui/contract.ts';

render(<p title={KEY_HEADER}>The page is being made.</p>, document.body);
