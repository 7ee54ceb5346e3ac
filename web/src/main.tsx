// The tracker's page begins.

import { render } from 'preact';
import './style.css';
import { App } from './app.tsx';
import { httpApi } from './http-api.ts';
import { ROOT } from './root.ts';
import { follow } from './router.ts';

follow();
render(<App api={httpApi(ROOT)} />, document.getElementById('app')!);
