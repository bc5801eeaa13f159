/** NOTIFY channel; the payload is an evaluation's id. */
export const eventChannel = 'evaluation_events';
