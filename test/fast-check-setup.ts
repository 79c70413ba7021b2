/** Property tests run the same cases everywhere; FAST_CHECK_SEED asks for others. */

import { configureGlobal } from "fast-check";

configureGlobal({ seed: Number(process.env["FAST_CHECK_SEED"] ?? 20_260_101) });
