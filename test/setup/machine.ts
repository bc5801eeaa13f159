import { pino } from 'pino';
import type { AcceptableRisk, DoctorReport } from '../../contracts/doctor.ts';
import { type DoctorKeeper, keepDoctor } from '../../workers/doctor-keeper.ts';

/** What a doctor says of a machine on which nothing is wrong. */
export const soundMachine: DoctorReport = { engineVersion: '29.9.9', findings: [] };

/** The real keeper over findings that the test chooses. */
export function doctorOf(report: DoctorReport = soundMachine, accepted: readonly AcceptableRisk[] = []): DoctorKeeper {
  return keepDoctor({
    examine: async () => report,
    engineVersion: async () => report.engineVersion,
    accepted,
    log: pino({ level: 'silent' }),
  });
}
