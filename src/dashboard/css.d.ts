/** Style sheets are imported for their effect; vite extracts them into files. */
declare module '*.css';
