import { Link } from '@tanstack/react-router';
import { Empty } from '../components/empty.tsx';
import { usePageTitle } from '../components/page-title.ts';

export function NotFound() {
  usePageTitle('Not found');
  return (
    <Empty why="There is no page at this address.">
      <Link to="/">See all challenges</Link>
    </Empty>
  );
}
