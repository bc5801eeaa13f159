/** The product's sign; decoration beside its name. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 24 24" aria-hidden="true">
      <rect width="24" height="24" rx="6" />
      <path d="M6 12.5l4 4 8-9" />
    </svg>
  );
}
