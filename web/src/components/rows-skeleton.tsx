import { Skeleton } from '@mantine/core';

/** Holds the place of rows that are being loaded, so that nothing jumps when they come. Heights in px. */
export function RowsSkeleton({ rows, height, label }: { rows: number; height: number; label: string }) {
  return (
    <div aria-busy="true">
      <span className="visually-hidden" role="status">
        {label}
      </span>
      {Array.from({ length: rows }, (_, row) => `row-${row}`).map((key) => (
        <Skeleton key={key} height={height - 10} mb={10} radius="sm" />
      ))}
    </div>
  );
}
