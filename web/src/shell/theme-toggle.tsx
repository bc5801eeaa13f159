import { type MantineColorScheme, NativeSelect, useMantineColorScheme } from '@mantine/core';

const schemes: { value: MantineColorScheme; label: string }[] = [
  { value: 'auto', label: 'System' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
];

/** Light, dark or as the system has it; the choice is kept in this browser. */
export function ThemeToggle() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <NativeSelect
      aria-label="Theme"
      size="xs"
      title="Theme"
      data={schemes}
      value={colorScheme}
      onChange={(event) => {
        const chosen = schemes.find((scheme) => scheme.value === event.currentTarget.value);
        if (chosen) setColorScheme(chosen.value);
      }}
    />
  );
}
