// Whoever is asked to sign in is signed in no more: pages of the bench that lie here go.

import { forgetPages } from "./bench/kept.js";

forgetPages(() => true);
