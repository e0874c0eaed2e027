import { startDevnet } from '#settlement/l1/devnet.ts';
    const devnet = await startDevnet();
    console.log(devnet.url);
    setInterval(() => {}, 1000);